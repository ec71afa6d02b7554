// Compiler process. Blanks the types of the texts that its parent sends, and ends with the channel to its parent.
import { loadCompiler, type Stripped, strip } from "./strip.ts";

export interface CompilerRequest {
  id: number;
  file: string;
  text: string;
}

export interface CompilerAnswer {
  id: number;
  stripped: Stripped;
}

const loaded = loadCompiler();

process.on("message", async ({ id, file, text }: CompilerRequest) => {
  await loaded;
  const stripped = await strip(file, text);
  // The parent may have closed the channel meanwhile.
  if (process.connected) process.send!({ id, stripped } satisfies CompilerAnswer);
});

process.once("disconnect", () => process.exit(0));
