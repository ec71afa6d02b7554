// Service. The lab server as one service on this machine: options, single instance, token, problem log, browser.
export { canOpenBrowser, closeBrowserFile, openBrowser } from "./service/browser.ts";
export { becomeInstance, type Instance } from "./service/instance.ts";
export { readOptions, usage } from "./service/options.ts";
export { ProblemLog } from "./service/problem-log.ts";
export { proxyAdvice } from "./service/proxy-advice.ts";
export { openState, type State, stateFolder } from "./service/state.ts";
