// Modules door. A student's modules: which files a program consists of, and their TypeScript as JavaScript.
export { type Collected, collectModules, type ModuleText, type StripCache } from "./modules/graph.ts";
export { loadCompiler, type Stripped, strip } from "./modules/strip.ts";
