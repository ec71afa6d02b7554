// The framing of HTTP answers: whole answers, parts of answers, and bytes that are not an answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnswer } from "./http-answer.ts";

const read = (text: string, to = "GET", over = false) => readAnswer(Buffer.from(text), to, over);

test("Content-Length: the bytes behind the body do not belong to the answer", () => {
  const answer = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nx:b\r\n\r\nhelloHTTP/1.1 404");
  assert.ok("status" in answer);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), "hello");
  assert.equal(answer.fields.get("x"), "a, b");
  assert.equal(answer.length, 54);
});

test("an answer to HEAD has no body, whatever its Content-Length", () => {
  const answer = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD");
  assert.ok("status" in answer && answer.body.length === 0);
});

test("a chunked body, with extensions and a trailer", () => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const body = "5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n";
  const answer = read(`${head}${body}HTTP`);
  assert.ok("status" in answer);
  assert.equal(answer.body.toString(), "hello0123456789");
  assert.equal(answer.length, head.length + body.length);
  for (let cut = 0; cut < body.length; cut++) assert.ok("need" in read(head + body.slice(0, cut)), `${cut}`);
  assert.ok("fault" in read(`${head}2\r\nhello\r\n`));
});

test("a body without a length ends with the connection", () => {
  const text = "HTTP/1.0 200 OK\r\n\r\nhello";
  assert.ok("need" in read(text));
  const answer = read(text, "GET", true);
  assert.ok("status" in answer && answer.body.toString() === "hello");
});

test("100 Continue is skipped", () => {
  const answer = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
  assert.ok("status" in answer && answer.status === 204);
});

test("a partial answer names the bytes that it needs", () => {
  for (const part of ["", "HTTP", "HTTP/1.1 200 OK\r\nContent-Le"]) assert.ok("need" in read(part), part);
  const half = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  assert.ok("need" in half);
  assert.equal(half.need, 43);
  assert.match(half.has, /^2 of the 5 bytes/);
});

test("bytes that are not an answer are reported with their offset", () => {
  assert.ok("fault" in read("正确的url"));
  const line = read("HTTP/1.1 200 OK\r\nA: b\r\nno colon\r\n\r\n");
  assert.ok("fault" in line);
  assert.equal(line.at, 23);
  assert.ok("fault" in read("HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n"));
});
