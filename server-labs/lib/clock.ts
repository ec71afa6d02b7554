// Clock. CLOCK_MONOTONIC in milliseconds, which every process of this machine reads alike.

/** Milliseconds of CLOCK_MONOTONIC: clock_gettime(2). */
export const clock = (): number => Number(process.hrtime.bigint()) / 1e6;
