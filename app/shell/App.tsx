// Page. One bar, and below it the contents, a lesson, or a sentence about an unknown address.
import { Route, Switch, useLocation } from "wouter";
import { contents, lesson, referenceId } from "../book.ts";
import { openWorkbench } from "../desk.ts";
import { Closing, Glossary, Opening } from "../reader/ChapterPages.tsx";
import { Contents } from "../reader/Contents.tsx";
import { LessonPage } from "../reader/LessonPage.tsx";
import { NetReference } from "../reader/TextPage.tsx";
import { Boundary } from "../ui/Boundary.tsx";
import { useBook } from "../ui/hooks.ts";
import { Bar } from "./Bar.tsx";
import { Keys } from "./Keys.tsx";
import { NotFound } from "./NotFound.tsx";

export function App() {
  const [address] = useLocation();
  useBook();
  const id = address.slice(1).replace(/\/$/, "");
  const here = lesson(id) ?? null;
  const chapter = contents().find(one => one.id === id.split("/")[0]);
  return (
    <>
      <a className="skip" href="#text">
        Skip to the text
      </a>
      {here?.lab && (
        <button type="button" className="skip" onClick={openWorkbench}>
          Skip to the lab
        </button>
      )}
      <Bar here={here} />
      <Boundary key={address} name="This page">
        <Switch>
          <Route path="/">
            <Contents />
          </Route>
          <Route path={`/${referenceId}`}>
            <NetReference id={referenceId} />
          </Route>
          {chapter && (
            <Route path={`/${chapter.id}`}>
              <Opening key={chapter.id} chapter={chapter} />
            </Route>
          )}
          {chapter?.closing && (
            <Route path={`/${chapter.id}/closing`}>
              <Closing key={chapter.id} chapter={chapter} />
            </Route>
          )}
          {chapter?.glossary && (
            <Route path={`/${chapter.id}/glossary`}>
              <Glossary key={chapter.id} chapter={chapter} />
            </Route>
          )}
          {here && (
            <Route>
              <LessonPage key={id} lesson={here} />
            </Route>
          )}
          <Route>
            <NotFound id={id} />
          </Route>
        </Switch>
      </Boundary>
      <Keys id={id} here={here} />
    </>
  );
}
