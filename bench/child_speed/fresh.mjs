// A fresh process, asked again for each round: the kernels' times as JSON.
import { measure } from './kernels.mjs';

process.stdout.write(JSON.stringify(measure()));
