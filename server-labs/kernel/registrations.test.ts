import assert from "node:assert/strict";
import { test } from "node:test";
import { registrationsIn } from "./registrations.ts";

test("a registration is its number, its events and its open file", () => {
  const text = `pos:\t0
flags:\t02000002
mnt_id:\t17
ino:\t1038
tfd:        5 events:       19 data:     7f7c00000005  pos:0 ino:3497b5 sdev:f
tfd:       22 events: 80000019 data:               16  pos:0 ino:40e sdev:9
tfd:        6 events: 40000000 data:                6
tfd: nonsense
`;
  assert.deepEqual(registrationsIn(text), [
    { fd: 5, events: 0x19, file: { inode: 0x3497b5, device: 0xf } },
    { fd: 22, events: 0x80000019, file: { inode: 0x40e, device: 9 } },
    { fd: 6, events: 0x40000000, file: null },
  ]);
});
