import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenBucket } from "./token-bucket.ts";

test("a bucket fills at its rate, up to its burst", () => {
  let now = 0;
  const bucket = new TokenBucket(100, 50, () => now);
  assert.equal(bucket.level, 50);
  bucket.consume(50);
  assert.equal(bucket.level, 0);
  now += 200;
  assert.equal(bucket.level, 20);
  now += 10_000;
  assert.equal(bucket.level, 50);
});

test("a debt is paid before anything else", () => {
  let now = 0;
  const bucket = new TokenBucket(100, 50, () => now);
  bucket.consume(80);
  assert.equal(bucket.level, -30);
  now += 300;
  assert.equal(bucket.level, 0);
});

test("a clock that goes back takes no tokens away", () => {
  let now = 1000;
  const bucket = new TokenBucket(100, 50, () => now);
  bucket.consume(20);
  now = 0;
  assert.equal(bucket.level, 30);
});
