// TypeScript worker. The process of the lab worker in the browser.
import { initialize } from "monaco-editor/internal/common/initialize";
import { LabWorker } from "./lab-worker.ts";

self.onmessage = () => initialize((context, createData) => new LabWorker(context, createData));
