// Before close. What is called before each close(2) of the program: a hub then forgets the descriptor, before another socket
// gets its number.

/** Called with the descriptor. */
export const beforeClose: ((fd: number) => void)[] = [];
