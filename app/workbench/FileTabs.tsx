// File tabs. The files of the lab's folder over the editor: opens, makes, renames and removes them. Where there is one file alone,
// the head bar names it, and here is only the button for another one.
import { Tabs } from "@base-ui/react/tabs";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Icon } from "../ui/Icon.tsx";
import type { LabFiles } from "./files.ts";
import { importersOf } from "./importers.ts";
import { revealLine } from "./view.ts";

interface Props {
  files: LabFiles;
  /** The files that the lab begins with, and that stay. */
  given: readonly string[];
  /** The file in which a run found a mistake. */
  faulty: string | null;
  /** The text of the file that runs. */
  mainText(): string;
  /** Shows what was done, with a way back where there is one. */
  onSaid(said: FileNotice | null): void;
}

/** What became of a file, in a sentence. */
export interface FileNotice {
  sentence: string;
  undo?: () => void;
}

export function FileTabs({ given, faulty, ...props }: Props) {
  const { names, open, show } = props.files;
  const { make, rename, remove } = useFileActions(props);
  /** The file that gets another name; "" for a new file. */
  const [naming, setNaming] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const [renamedTo, setRenamedTo] = useState<string | null>(null);
  // The field that had the focus is gone; the tab comes when the lab server has announced the file.
  useEffect(() => {
    if (renamedTo === null || renamedTo !== open) return;
    list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
    setRenamedTo(null);
  }, [renamedTo, open]);
  const isGiven = (name: string) => given.includes(name);
  return (
    <Tabs.Root className="files" value={open} onValueChange={next => show(String(next))}>
      <Tabs.List ref={list} className="files-list" aria-label="Files" hidden={names.length === 1}>
        {names.map(name => (
          <Tabs.Tab
            key={name}
            value={name}
            className="file"
            onKeyDown={event => {
              if (isGiven(name)) return;
              if (event.key === "Delete") void remove(name);
              if (event.key === "F2") setNaming(name);
            }}
            onDoubleClick={isGiven(name) ? undefined : () => setNaming(name)}
          >
            {name}
            {name === faulty && <span className="failed"> ✕</span>}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {!isGiven(open) && (
        <FileButtons file={open} onRename={() => setNaming(open)} onRemove={() => void remove(open)} />
      )}
      {naming !== null ? (
        <NameField
          key={naming}
          before={naming}
          onEnd={async name => {
            setNaming(null);
            if (name === null || name === naming) return;
            if (naming === "") return make(name);
            if (await rename(naming, name)) setRenamedTo(name);
          }}
        />
      ) : (
        <button
          type="button"
          className="file-button"
          onClick={() => setNaming("")}
          aria-label="New file"
          title="New file beside server.ts, to import: greet.ts, menu.json"
        >
          +
        </button>
      )}
    </Tabs.Root>
  );
}

/** Makes, renames and removes files, and says what became of them. */
function useFileActions({ files, mainText, onSaid }: Pick<Props, "files" | "mainText" | "onSaid">) {
  const { names, drafts, show, create } = files;
  const make = async (file: string) => {
    const why = await create(file);
    onSaid(why === null ? null : { sentence: why });
    // The next key is typed into it.
    if (why === null) revealLine(1, { file });
  };
  const rename = async (file: string, to: string) => {
    const texts = [...drafts].map(([name, { state }]) => ({ file: name, text: state.text }));
    const others = [{ file: names[0]!, text: mainText() }, ...texts.filter(other => other.file !== file)];
    const why = await files.rename(file, to);
    onSaid({ sentence: why ?? renamed(file, to, importersOf(file, others)) });
    return why === null;
  };
  const remove = async (file: string) => {
    const answer = await files.remove(file);
    if ("problem" in answer) return onSaid({ sentence: answer.problem });
    show(names[0]!);
    const undo = () => void create(file, answer.text).then(why => onSaid(why ? { sentence: why } : null));
    onSaid({ sentence: `${file} was removed; a copy is kept in .history.`, undo });
  };
  return { make, rename, remove };
}

function renamed(file: string, to: string, importers: string[]): string {
  const done = `${file} is named ${to} now, and its copies in .history, too.`;
  if (importers.length === 0) return done;
  return `${done} ${importers.join(", ")} still ${importers.length === 1 ? "names" : "name"} "./${file}": change it there.`;
}

interface FileButtonsProps {
  file: string;
  onRename(): void;
  onRemove(): void;
}

function FileButtons({ file, onRename, onRemove }: FileButtonsProps) {
  return (
    <>
      <button
        type="button"
        className="file-button"
        onClick={onRename}
        aria-label={`Rename ${file}`}
        title={`Rename ${file} (F2 on its tab)`}
      >
        <Icon name="rename" />
      </button>
      <button
        type="button"
        className="file-button"
        onClick={onRemove}
        aria-label={`Remove ${file}`}
        title={`Remove ${file} (Delete on its tab); a copy is kept`}
      >
        <Icon name="close" />
      </button>
    </>
  );
}

interface NameFieldProps {
  /** The name that the file has; "" for a new one. */
  before: string;
  onEnd(name: string | null): Promise<void>;
}

/** A field for the name of a file: Enter makes or renames it, Escape does not. */
function NameField({ before, onEnd }: NameFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(0, before.lastIndexOf("."));
  }, [before]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const name = field.current!.value.trim();
    void onEnd(name === "" ? null : name.includes(".") ? name : `${name}.ts`);
  };
  return (
    <form onSubmit={submit}>
      <input
        ref={field}
        className="file-name"
        aria-label={before === "" ? "Name of the new file" : `New name of ${before}`}
        defaultValue={before}
        placeholder="name.ts"
        maxLength={64}
        spellCheck={false}
        autoComplete="off"
        onKeyDown={event => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          void onEnd(null);
        }}
        onBlur={() => ["", before].includes(field.current?.value ?? "") && void onEnd(null)}
      />
    </form>
  );
}
