/** Text as UTF-8: how long it is, and what is wrong with it. */

/** How many bytes a text takes; each half of a surrogate pair that is alone counts as the three that replace it. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) {
      // The two code units of a pair take four bytes.
      const isPair = code >= 0xd800 && code <= 0xdbff && isLowSurrogate(text.charCodeAt(index + 1));
      length += code < 0x800 ? 1 : 2;
      index += isPair ? 1 : 0;
    }
  }
  return length;
}

/** The first half of a surrogate pair that is alone in a text; `undefined` if there is none. */
export function loneSurrogate(text: string): number | undefined {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0xd800 && code <= 0xdfff) {
      if (code >= 0xdc00 || !isLowSurrogate(text.charCodeAt(index + 1))) {
        return code;
      }
      index += 1;
    }
  }
  return undefined;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
