// The same for jest-worker.
module.exports = { echo: (value) => value };
