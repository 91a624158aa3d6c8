// The same for workerpool, which has its modules register.
import workerpool from 'workerpool';

workerpool.worker({ echo: (value) => value });
