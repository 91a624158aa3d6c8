// The task of the pools that take a module: what it is given comes back.
export default (value) => value;
export const echo = (value) => value;
