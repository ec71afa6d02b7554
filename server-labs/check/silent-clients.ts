// Silent clients. Hundreds of connected clients that send nothing: what the silence costs a server, and how long the next
// message may have to wait. A server that polls can be good at one of the two; one that the kernel wakes is good at both.
import type { Client } from "../clients.ts";
import { clock } from "../lib/clock.ts";
import type { CallRecord } from "../protocol.ts";
import type { CallWatch } from "./call-watch.ts";
import type { BrokenPromise } from "./outcome.ts";
import type { Tools } from "./tools.ts";

/** The number of clients that are connected and send nothing. */
const silent = 500;
/** They connect by so many: the accept queue is not what their checks are about. */
const batch = 100;
/** After this time a server is at rest again, also one that rests longer the longer it is quiet. */
const settlesMs = 600;
/** The time for which the cost of silence is measured. */
const silenceMs = 500;
/** A server that is not seen to sleep in so much of its own time never sleeps, or sleeps in a way that the trace does not show. */
const unseenMs = 100;
/** The number of a program's first calls that are traced with their lines, which costs more than a short call itself. */
const dearCalls = 11_000;
/** The longest time in which a message must be read. */
const mostMs = 10;
const word = "hello\n";

/**
 * So many accepted clients, which are silent.
 * @param breaks the promise of the lab that a server breaks which does not accept them, if another check judges it
 */
export async function crowd(t: Tools, count = silent, breaks?: BrokenPromise): Promise<Client[]> {
  const come: Client[] = [];
  while (come.length < count) {
    const some = await t.clients(Math.min(batch, count - come.length));
    const accepted = await t.server.accepts(some);
    t.expect(accepted, "Number of the connected clients that the server has accepted.").equal(some.length, {
      because:
        come.length + accepted > 0
          ? "The server has accepted some clients, and others wait. Call accept() until it returns null. If the accept queue is empty, it was full when they came: it has as many places as the backlog of listen(), and one more."
          : "A client in the accept queue is connected, but the server has no socket for it until it calls accept(). Is the listener on the list of descriptors that the server waits for?",
      see: "ss -tln 'sport = :{port}'   # Recv-Q: clients that still wait",
      breaks,
    });
    come.push(...some);
  }
  return come;
}

/**
 * In half a second of silence the server uses at most 2 % of a processor and wakes up at most ten times.
 * @param because why a server uses more of a processor
 */
export async function judgeCost({ server, expect }: Tools, because: string): Promise<void> {
  const since = server.traced ? server.watch() : null;
  const made = () => (since === null ? 0 : since.calls.length + since.calls.missed);
  await server.wait(settlesMs);
  // A server that polls is judged by the cost of its calls, and not by the cost of tracing their lines.
  for (let i = 0; i < 20 && made() > silent && made() < dearCalls; i++) await server.wait(100);
  const { busy, sleeps, watch } = await server.idle(silenceMs);
  const see =
    "bash -c 'for i in $(seq 500); do exec {fd}<>/dev/tcp/127.0.0.1/{port}; done; sleep 60' &\ntop -p $(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')";
  expect(Number((busy * 100).toFixed(2)), "CPU used while 500 clients are silent (% of a processor).").atMost(
    2,
    { because, see, at: watch?.calls.named("recv", "poll", "epoll_wait").last ?? null },
  );
  // A look that costs nothing would still have to be made a hundred times a second, to find a word within 10 ms.
  expect(sleeps, `Wake-ups while 500 clients are silent (in ${silenceMs} ms).`).atMost(10, {
    because:
      "The server wakes up to look for messages. If the arrival of a message wakes the server, it need not look.",
    see: "grep -H voluntary /proc/$(ss -Htlnp 'sport = :{port}' | grep -oP 'pid=\\K\\d+')/status   # twice, a second apart",
    at: watch?.calls.rests.last ?? null,
  });
}

/** How the wait of a message shows: by the answer, or, where the lab's server sends none, by its having read the message. */
export interface WaitOptions {
  answers: boolean;
  /** They have been silent for some time already: the cost of it was judged. */
  afterSilence?: boolean;
}

/**
 * One after another, in a random order, clients send `hello`. None may have to wait longer than 10 ms.
 * @param watch the calls since before the clients connected; null where they cannot be seen
 */
export async function judgeWaits(
  t: Tools,
  watch: CallWatch | null,
  clients: readonly Client[],
  options: WaitOptions,
): Promise<void> {
  let looked = 0;
  let began = 0;
  const waitsFor = options.answers ? "for an answer" : "until the server has read a message";
  for (const [i, speaker] of shuffled(clients).entries()) {
    const { ms, woken, slept } = await longestWait(t, { watch, speaker, options }, i === 0);
    t.expect(Number(ms.toFixed(1)), `Longest wait ${waitsFor} (in ms).`).atMost(mostMs, {
      because: slept
        ? "All clients were silent, and the server slept. A message did not end that sleep, so a message that arrives just after its beginning waits for all of it."
        : "All clients were silent, and the server slept. It read this message late, in each of several tries.",
      see: options.answers
        ? "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; sleep 1; time { echo hello >&3; timeout 5 head -n 2 <&3; }'"
        : `time timeout 5 node -e 'require("net").connect({port}, "127.0.0.1").end("hello").resume()'`,
      at: slept && isTimed(slept) ? slept : null,
    });
    // The server looks for messages, and often enough in any silence: what that costs is judged by `judgeCost`.
    if (!woken && ++looked === 3) return;
    if (i === 0) began = clock();
    // Where all 500 would take long, on a busy machine, so many have to do.
    if (i >= 150 && clock() - began > 5000) return;
  }
}

/** All clients send, in a random order: a server that waits for some of them only is caught. */
function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map(one => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

interface Wait {
  ms: number;
  /** Nothing but its word ended the sleep of the server, as far as can be seen. */
  woken: boolean;
  /** A sleep that its word did not end. */
  slept: CallRecord | null;
  /** Told by what the server asked of the kernel, and not by a clock: another try would tell the same. */
  exact: boolean;
}

/** A client that is to send, and how one sees that the server has heard it. */
interface Speech {
  watch: CallWatch | null;
  speaker: Client;
  options: WaitOptions;
}

/** How long this client may have to wait; by the clock, the best of some tries: a busy machine makes any server late. */
async function longestWait(t: Tools, speech: Speech, silent: boolean): Promise<Wait> {
  let best: Wait = { ms: Number.POSITIVE_INFINITY, woken: false, slept: null, exact: false };
  for (let tries = 0; tries < 10; tries++) {
    const wait = await speak(t, speech, silent);
    if (wait === null) continue;
    // How one is woken does not depend on how long one has slept. How often one looks may: that is asked in a silence.
    if ((wait.woken || silent) && wait.ms < best.ms) best = wait;
    if (best.ms <= mostMs || (best.exact && best.slept)) break;
    // A busy machine makes no server so late again and again; and a server whose looks cannot be foreseen may be lucky.
    if (best.ms > 4 * mostMs && best.slept && tries >= 1) break;
    if (!wait.woken && !wait.slept && tries >= 2) break;
    silent = !wait.woken;
  }
  if (best.ms === Number.POSITIVE_INFINITY) t.tooBusy("a message that comes while the server sleeps");
  return best;
}

/**
 * One client sends, if wanted after a silence.
 * @returns how long its message may have to wait; null when the server's sleep was over before the message came
 */
async function speak(t: Tools, speech: Speech, silent: boolean): Promise<Wait | null> {
  const { server, until } = t;
  const { watch, speaker, options } = speech;
  // The silence ends at a random moment of the time whose cost `judgeCost` measures: so no server can be cheap then, and quick now.
  if (silent) await server.wait((options.afterSilence ? 0 : settlesMs) + Math.random() * silenceMs);
  const asleep = watch !== null && (await isSeenAsleep(t));
  if (!asleep && silent) {
    // The check cannot see what the server waits for: so the client sends when the server has just looked, if it looks.
    const { sleepCount } = server;
    await until(() => server.asleep && server.sleepCount > sleepCount, 300);
  }
  const { delayedMs } = server;
  const own = server.ownTime();
  const { spoke, heard } = await isHeard(t, speech);
  const { ran } = own.spent;
  const late = server.delayedMs - delayedMs;
  // The kernel may show bytes as read before the call has been recorded.
  if (asleep) await until(() => firstRead(watch, spoke) !== undefined, 100);
  const wait = asleep ? bySleeps(watch, spoke, { ran, late }) : byClock(watch, { spoke, heard }, late);
  if (wait === null) return null;
  if (silent || wait.ms > mostMs) {
    const of =
      wait.slept &&
      (isTimed(wait.slept)
        ? ` for the end of ${wait.slept.call}`
        : `: the server has slept since ${wait.slept.call}`);
    t.note(`${speaker.name}: a message may have to wait ${wait.ms.toFixed(1)} ms${of ?? ""}`);
  }
  return wait;
}

/** This client sends, and is heard: when it was. @throws CheckFailure when it is not */
async function isHeard(
  { server, until, fail }: Tools,
  { speaker, options }: Speech,
): Promise<{ spoke: number; heard: number }> {
  const wanted = speaker.receivedBytes + word.length;
  const spoke = clock();
  speaker.send(word);
  const isDone = () => (options.answers ? speaker.receivedBytes >= wanted : server.hasRead(speaker));
  await until(() => isDone() || (clock() - spoke > 1000 && server.stuck()), 5000);
  if (!isDone()) {
    fail(
      `One of 500 clients sent a message, and ${options.answers ? "got no answer" : "the server did not read it"}.`,
      {
        because: "Every connected client belongs on the list of descriptors that the server waits for.",
        see: options.answers
          ? "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; timeout 2 cat <&3'"
          : "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; sleep 1; ss -tn \"sport = :{port}\"'   # Recv-Q: bytes not read yet",
      },
    );
  }
  return { spoke, heard: options.answers ? speaker.receivedAt : clock() };
}

/** Waits until the server sleeps in a call that can be seen. False: it had its time, and slept otherwise, or not at all. */
async function isSeenAsleep({ server, until }: Tools): Promise<boolean> {
  const own = server.ownTime();
  let unseen = 0;
  const look = () => {
    if (server.asleep && isTimed(server.currentCall)) return "seen";
    const { asleep, ms, ran } = own.spent;
    // More than once: a call may have begun since the trace was read for this look.
    if (asleep) unseen++;
    return (asleep ? ms > unseenMs && unseen > 5 : ran > unseenMs) && "not seen";
  };
  return (await until(look, 15_000)) === "seen";
}

/**
 * The wait of a message, from its sending until it was read: the sleeps that it did not end, and what the server did
 * meanwhile. Each sleep counts as long as the server asked for, because the message may have come at its beginning.
 * @returns null when the first of them was over before the message came
 */
function bySleeps(
  watch: CallWatch,
  spoke: number,
  { ran, late }: { ran: number; late: number },
): Wait | null {
  const { calls } = watch;
  const read = firstRead(watch, spoke);
  const slept = calls.where(
    call => isOverAfter(call, spoke) && call.at < (read?.at ?? spoke) && isTimed(call) && !isWoken(call),
  );
  const ms = slept.list.reduce((sum, call) => sum + timeoutMs(call), ran);
  const first = slept.list.find(call => timeoutMs(call) > 0) ?? null;
  // It had slept as long as it asked for, and waited for a processor when the message came.
  if (first !== null && first.at + timeoutMs(first) <= spoke + 1) return null;
  const byClock = (read?.at ?? spoke) - spoke - late;
  // Woken at once, and late again and again: it sleeps before it reads, in a way that cannot be seen.
  if (first === null && byClock > mostMs) return { ms: byClock, woken: true, slept: null, exact: false };
  return { ms, woken: first === null, slept: first, exact: true };
}

/** The same by the clock, for a server whose sleep cannot be seen; less the time in which it waited for a processor. */
function byClock(
  watch: CallWatch | null,
  { spoke, heard }: { spoke: number; heard: number },
  delayed: number,
): Wait {
  const last = watch?.calls.where(call => call.at <= spoke).last ?? null;
  const read = watch ? firstRead(watch, spoke) : undefined;
  const woken = last !== null && isOverAfter(last, spoke) && isWoken(last);
  // Where it is not seen to sleep and yet seen to read, it has slept since its last call.
  const slept = last !== null && !woken && (isTimed(last) || read) ? last : null;
  const ms = (read?.at ?? heard) - (slept?.at ?? spoke) - (slept ? 0 : delayed);
  return { ms: Math.max(0, ms), woken, slept, exact: false };
}

function firstRead(watch: CallWatch, spoke: number): CallRecord | undefined {
  return watch.calls.after(spoke).reads.where(call => call.returned > 0).list[0];
}

function isOverAfter({ at, took }: CallRecord, moment: number): boolean {
  return took === null || at + took / 1000 > moment;
}

/** The call returned because a descriptor was ready, and not because its time was over. */
function isWoken({ call, returned }: CallRecord): boolean {
  return call !== "nanosleep" && returned > 0;
}

/** A sleep whose end can be seen: a ready descriptor, or its time-out. */
function isTimed(call: CallRecord | null): boolean {
  return call !== null && ["nanosleep", "poll", "epoll_wait"].includes(call.call);
}

/** For how long it was to sleep at most, in milliseconds. */
function timeoutMs({ call, args }: CallRecord): number {
  if (call === "nanosleep") return Number(args[0]) * 1000;
  return Math.max(0, Number(call === "poll" ? args[2] : args[3]));
}
