// Where the package "workbook" is, whether this file runs from its sources or from what was built of them.
import { createRequire } from "node:module";
import { dirname } from "node:path";

export const packageRoot = dirname(createRequire(import.meta.url).resolve("workbook/package.json"));
