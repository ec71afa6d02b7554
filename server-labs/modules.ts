// Modules door. A student's modules: which files a program consists of, and their TypeScript as JavaScript.
export { Compiler } from "./modules/compiler.ts";
export { type Collected, collectModules, type ModuleText, type StripCache } from "./modules/graph.ts";
export { type Stripped, type StripTypes, strip } from "./modules/strip.ts";
