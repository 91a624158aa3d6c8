// What child_process.fork and Worker run: nothing.
