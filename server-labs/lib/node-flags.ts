// Node flags. What Node gets on its command line to run a student's program.

/** JavaScript objects that a program may have, in megabytes. */
export const heapMegabytes = 256;

/** The last two let the runtime load the student's modules itself (runtime/process/module-loader.ts). */
export const programFlags = [
  `--max-old-space-size=${heapMegabytes}`,
  "--experimental-vm-modules",
  "--experimental-import-meta-resolve",
];
