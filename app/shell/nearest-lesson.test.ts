// The lesson that the page offers for a mistyped address.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestLesson } from "./nearest-lesson.ts";

const ids = [
  "non-blocking/one-waiter",
  "non-blocking/polling-model",
  "epoll/epoll-model",
  "epoll/static-server",
];

test("a slip of a finger finds its lesson", () => {
  assert.equal(nearestLesson("non-blocking/poling-model", ids), "non-blocking/polling-model");
});
test("the name of the folder finds its lesson", () => {
  assert.equal(nearestLesson("02-epoll/02-epoll-model", ids), "epoll/epoll-model");
});
test("the lesson in the wrong chapter finds it", () => {
  assert.equal(nearestLesson("epoll/one-waiter", ids), "non-blocking/one-waiter");
});
test("what is like nothing finds nothing", () => {
  assert.equal(nearestLesson("wp-admin/setup-config.php", ids), null);
});
test("an empty book finds nothing", () => {
  assert.equal(nearestLesson("anything", []), null);
});
