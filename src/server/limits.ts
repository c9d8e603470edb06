// Limits of the process.

/** Open files beside the clients' sockets: listening and refused sockets, threads, the module files, logs, storage. */
export const FILE_DESCRIPTORS_RESERVED = 512;
