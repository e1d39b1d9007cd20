/** How text is shown: attributes, and colours where they are wanted. */
export interface Styles {
  bold(text: string): string;
  dim(text: string): string;
  reverse(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  doubtful(text: string): string;
}

/** "Select Graphic Rendition" of ECMA-48, section 8.3.117. */
const RESET = "\x1b[0m";

/** @param hasColour Whether colours are wanted: without them there are attributes only. */
export function styles(hasColour: boolean): Styles {
  const style = (code: number) => (text: string) =>
    text === "" ? "" : `\x1b[${code}m${text}${RESET}`;
  const colour = (code: number) => hasColour ? style(code) : (text: string) => text;
  return {
    bold: style(1),
    dim: style(2),
    reverse: style(7),
    good: colour(32),
    bad: hasColour ? style(31) : style(1),
    doubtful: hasColour ? style(33) : style(1),
  };
}
