// Workspace. The student's own files: atomic saves, history, watching, scaffold.
export { WorkspaceError } from "./workspace/error.ts";
export { workspaceFolder } from "./workspace/folder.ts";
export { Workspace } from "./workspace/workspace.ts";
