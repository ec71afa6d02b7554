// Who looks at a program's calls beside the page: what they tell of its descriptors, and of how it goes.

/** It looks at each record that was not lost, shown or not, in order. */
export interface Observer {
  /** @param again seen before when it had not returned, and it has now */
  see(record: Buffer, again: boolean): void;
  /** Of a flood: one of callsThatMove, that has returned, told by what came of it alone. */
  moved(fd: number, result: number, errno: number): void;
}

export const nobody: Observer = { see() {}, moved() {} };
