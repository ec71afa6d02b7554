// System error. Separates an error of the operating system, which a person can mend, from a mistake in code.

/** Has a system call failed: ENOSPC, EMFILE, EACCES? Node's own checks of arguments have a code, but no errno. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === "number";
}
