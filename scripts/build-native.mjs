// Compiles the addons into build/Release for the node that runs this, with the headers beside it (or those of NODEDIR).
import { compileHere } from './lib/native.mjs';
import { main } from './lib/run.mjs';

main(compileHere);
