// Editor door. Loads Monaco, which is fetched behind the lesson's text.
export { default } from "./editor/Editor.tsx";
