// Two tabs. A randomised simulation: two reducers, one disk with ETags, messages and answers that come late and in any
// order, saves that fail. Its invariant: no word that was typed is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conflict, FileText } from "../labs.ts";
import {
  type DraftEvent,
  type DraftMessage,
  type DraftState,
  type Effect,
  initialState,
  reduce,
} from "./draft-state.ts";

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Tab {
  state: DraftState;
  inbox: DraftMessage[];
  /** Answers that have not come yet; each is computed when the disk is reached, and arrives later. */
  asked: (() => void)[];
  answers: DraftEvent[];
  timers: Map<"persist" | "save", number>;
}

class Simulation {
  disk: FileText = { text: "start", etag: '"1"' };
  version = 1;
  away = false;
  now = 0;
  words = 0;
  typed = new Set<string>();
  readonly tabs: Tab[] = ["a", "b"].map(name => ({
    state: initialState(name),
    inbox: [],
    asked: [],
    answers: [],
    timers: new Map(),
  }));
  readonly log: string[] = [];
  readonly random: () => number;
  readonly ordered: boolean;
  /** The share of the steps in which a student types. */
  readonly haste: number;

  constructor(seed: number, ordered: boolean) {
    this.ordered = ordered;
    this.haste = [0.01, 0.05, 0.2][seed % 3]!;
    this.random = random(seed);
    for (const tab of this.tabs) this.dispatch(tab, { type: "refresh" });
    this.drain();
  }

  dispatch(tab: Tab, event: DraftEvent): void {
    const before = tab.state;
    const [state, effects] = reduce(before, event);
    tab.state = state;
    this.log.push(`${before.tab} ${JSON.stringify(event)} → ${state.status}${state.mirror ? " mirror" : ""}`);
    this.check(before, event, state);
    for (const effect of effects) this.run(tab, effect);
  }

  /** What must hold after each event. */
  check(before: DraftState, event: DraftEvent, state: DraftState): void {
    if (event.type === "received" && !before.mirror && state.mirror && before.text !== before.base?.text) {
      const { parent, revision } = event.message;
      const related = [revision.tab, parent?.tab].includes(before.revision?.tab);
      assert.ok(related, "a tab with local edits follows only what contains them");
    }
    assert.ok(!this.tabs.every(tab => tab.state.mirror), "both tabs are mirrors");
  }

  run(tab: Tab, effect: Effect): void {
    if (effect.do === "broadcast")
      for (const other of this.tabs) if (other !== tab) other.inbox.push(effect.message);
    if (effect.do === "start") tab.timers.set(effect.timer, this.now + effect.ms);
    if (effect.do === "stop") tab.timers.delete(effect.timer);
    if (effect.do === "read")
      tab.asked.push(() => {
        const answer = this.away ? { problem: "away" } : this.disk;
        tab.answers.push({ type: "readAnswered", id: effect.id, answer });
      });
    if (effect.do === "put")
      tab.asked.push(() => {
        const answer = this.away ? { problem: "away" } : this.write(effect.text, effect.etag);
        // The disk may have it, and the answer may be lost.
        const lost = this.random() < 0.1 ? { problem: "lost" } : answer;
        tab.answers.push({ type: "putAnswered", id: effect.id, answer: lost });
      });
  }

  write(text: string, match: string): { etag: string } | Conflict {
    if (match !== this.disk.etag) return { conflict: this.disk };
    this.version++;
    this.disk = { text, etag: `"${this.version}"` };
    return { etag: this.disk.etag };
  }

  type(tab: Tab): void {
    if (!tab.state.loaded) return;
    const word = `<${this.words++}>`;
    this.typed.add(word);
    this.dispatch(tab, { type: "typed", text: tab.state.text + word });
  }

  choose(tab: Tab): void {
    const { conflict, setAside } = tab.state;
    if (!conflict) return;
    this.dispatch(tab, { type: "chosen", which: this.random() < 0.5 ? "mine" : "theirs" });
    // Only one text is set aside; the student gave up the one from before.
    this.giveUp(setAside);
  }

  /** What the student gave up by a choice need not be found any more. */
  giveUp(text: string | null): void {
    const all = this.everything();
    for (const word of text?.match(/<\d+>/g) ?? []) if (!all.includes(word)) this.typed.delete(word);
  }

  everything(): string {
    const shown = this.tabs.flatMap(({ state }) => [state.text, state.setAside, state.conflict?.theirs]);
    return [this.disk.text, ...shown].join("");
  }

  deliver(tab: Tab): void {
    if (tab.inbox.length === 0) return;
    const index = this.ordered ? 0 : this.pick(tab.inbox.length);
    this.dispatch(tab, { type: "received", message: tab.inbox.splice(index, 1)[0]! });
  }

  reach(tab: Tab): void {
    if (tab.asked.length > 0) tab.asked.splice(this.pick(tab.asked.length), 1)[0]!();
  }

  answer(tab: Tab): void {
    if (tab.answers.length > 0) this.dispatch(tab, tab.answers.splice(this.pick(tab.answers.length), 1)[0]!);
  }

  fire(ms: number): void {
    this.now += ms;
    for (const tab of this.tabs)
      for (const [timer, at] of tab.timers)
        if (at <= this.now) {
          tab.timers.delete(timer);
          this.dispatch(tab, { type: timer === "save" ? "saveTimer" : "persistTimer" });
        }
  }

  pick(count: number): number {
    return Math.floor(this.random() * count);
  }

  step(): void {
    const tab = this.tabs[this.pick(2)]!;
    const dice = this.random();
    if (dice < this.haste) this.type(tab);
    else if (dice < 0.4) this.deliver(tab);
    else if (dice < 0.55) this.reach(tab);
    else if (dice < 0.7) this.answer(tab);
    else if (dice < 0.85) this.fire([50, 200, 600, 5000][this.pick(4)]!);
    else if (dice < 0.88) this.away = !this.away;
    else if (dice < 0.92) this.dispatch(tab, { type: "save" });
    else if (dice < 0.95) this.dispatch(tab, { type: "fileChanged", etag: this.disk.etag });
    else if (dice < 0.97) this.dispatch(tab, { type: "refresh" });
    else this.choose(tab);
    const all = this.everything();
    for (const word of this.typed) assert.ok(all.includes(word), `${word} is lost`);
  }

  drain(): void {
    while (this.tabs.some(({ inbox, asked, answers }) => inbox.length + asked.length + answers.length > 0))
      for (const tab of this.tabs) {
        this.deliver(tab);
        this.reach(tab);
        this.answer(tab);
      }
  }

  /** The students stop typing, the lab server is there, time passes. */
  end(choosing: boolean): void {
    this.away = false;
    for (let i = 0; i < 20; i++) {
      for (const tab of this.tabs) this.dispatch(tab, { type: "refresh" });
      this.drain();
      this.fire(25_000);
      this.drain();
      if (choosing) for (const tab of this.tabs) this.choose(tab);
    }
  }
}

for (const ordered of [true, false])
  test(`1000 random histories, messages ${ordered ? "in order" : "in any order"}: no word is lost, the end is saved or a choice`, () => {
    let conflicts = 0;
    for (let seed = 1; seed <= 1000; seed++) {
      const simulation = new Simulation(seed, ordered);
      try {
        for (let i = 0; i < 60; i++) simulation.step();
        const choosing = seed % 2 === 0;
        simulation.end(choosing);
        const states = simulation.tabs.map(tab => tab.state);
        const choice = states.some(({ conflict }) => conflict !== null);
        if (choice) conflicts++;
        assert.ok(!choice || !choosing, "the student has chosen, and is asked again");
        for (const { text, status, mirror } of states)
          if (status === "saved")
            assert.equal(text, simulation.disk.text, "what is said to be saved is the file");
          else assert.ok(status === "conflict" || (mirror && choice), `at the end a tab is ${status}`);
        const all = simulation.everything();
        for (const word of simulation.typed) assert.ok(all.includes(word), `${word} is lost at the end`);
      } catch (error) {
        (error as Error).message += `\nseed ${seed}\n${simulation.log.slice(-60).join("\n")}`;
        throw error;
      }
    }
    assert.ok(
      conflicts > 100 && conflicts < 900,
      `${conflicts} of 1000 end in a choice: both ends are tried`,
    );
  });
