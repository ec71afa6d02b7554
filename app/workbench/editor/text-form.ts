// Text form. What a file's text has around its lines: line ends and a byte order mark. The editor holds the lines alone,
// and each text that it gives back has the form of the file: a key press changes what was typed, and nothing else.

export interface TextForm {
  /** "\ufeff", or nothing. */
  mark: string;
  eol: "\n" | "\r\n";
}

/** The form of a text; of mixed line ends the more frequent. */
export function textFormOf(text: string): TextForm {
  const all = text.split("\n").length - 1;
  const crlf = text.split("\r\n").length - 1;
  return { mark: text.startsWith("\ufeff") ? "\ufeff" : "", eol: crlf > all / 2 ? "\r\n" : "\n" };
}

/** Its lines, as the editor holds them: a newline between each two, also where the file has a lone "\r". */
export const editorText = (text: string): string => text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");

/** The text with these lines in this form. */
export const inForm = (plain: string, { mark, eol }: TextForm): string =>
  mark + (eol === "\n" ? plain : plain.replaceAll("\n", eol));
