// End with the parent. start.mjs and dev.ts hold the other end of its IPC channel, which the kernel
// closes also when SIGKILL ends them: then the program ends as if SIGTERM had been sent to it.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
// Listening is no reason to stay.
process.channel?.unref();
