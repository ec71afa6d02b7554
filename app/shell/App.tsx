// The page: one bar, and below it the contents, a lesson, or a sentence about an address that leads nowhere.
import { Route, Switch, useLocation } from "wouter";
import { lesson } from "../book.ts";
import { Contents } from "../reader/Contents.tsx";
import { LessonPage } from "../reader/LessonPage.tsx";
import { Bar } from "./Bar.tsx";
import { Boundary } from "./Boundary.tsx";
import { useBook } from "./hooks.ts";
import { Keys } from "./Keys.tsx";
import { NotFound } from "./NotFound.tsx";

export function App() {
  const [address] = useLocation();
  useBook();
  const id = address.slice(1).replace(/\/$/, "");
  const here = lesson(id) ?? null;
  return (
    <>
      <a className="skip" href="#text">
        Skip to the text
      </a>
      <Bar here={here} />
      <Boundary key={address} name="This page">
        <Switch>
          <Route path="/">
            <Contents />
          </Route>
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
      <Keys here={here} />
    </>
  );
}
