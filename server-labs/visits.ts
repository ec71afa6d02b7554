// Visits. Real clients that a student sends to a run.
export { visitable } from "./visits/visitable.ts";
export { Visits } from "./visits/visits.ts";
