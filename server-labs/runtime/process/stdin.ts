// Standard input. Whether the program has asked for process.stdin, which is at its end from the start.

let opened = false;

/** Notes the first use of process.stdin, which Node opens no sooner. */
export function watchStandardInput(): void {
  const stdin = Object.getOwnPropertyDescriptor(process, "stdin");
  if (!stdin?.get) return;
  const { get } = stdin;
  Object.defineProperty(process, "stdin", {
    ...stdin,
    get() {
      opened = true;
      return get.call(process);
    },
  });
}

/** The program has used process.stdin. */
export const standardInputWasOpened = (): boolean => opened;
