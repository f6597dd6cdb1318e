/** How alike two names of schemas are, so that of several those are compared that people would compare. */

/** Characters of a name that count: strangers choose some of them. */
const LONGEST = 60;

/** Return a name without its namespace. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Return how alike two names are; the namespace counts less than what follows it. */
export function closeness(one: string, other: string): number {
  if (one === other) {
    return 3;
  }
  const [short, otherShort] = [shortName(one), shortName(other)];
  return short === otherShort ? 2 : ratio(lettersOf(short), lettersOf(otherShort));
}

function lettersOf(name: string): string[] {
  return Array.from(name).slice(0, LONGEST);
}

/** Return from 0 to 1 how much two texts have in common, by Ratcliff and Obershelp, as Python's `difflib` has it. */
function ratio(one: readonly string[], other: readonly string[]): number {
  const length = one.length + other.length;
  return length === 0 ? 1 : (2 * common(one, other)) / length;
}

/** Return how many letters are in the longest run that both have, and in the same way left and right of it. */
function common(one: readonly string[], other: readonly string[]): number {
  let [begin, otherBegin, size] = [0, 0, 0];
  let before: number[] = [];
  one.forEach((letter, at) => {
    // Lengths of the runs that end here, by where they end in the other text.
    const runs = other.map((otherLetter, place) => (letter === otherLetter ? 1 + (before[place - 1] ?? 0) : 0));
    for (const [place, run] of runs.entries()) {
      if (run > size) {
        [begin, otherBegin, size] = [at - run + 1, place - run + 1, run];
      }
    }
    before = runs;
  });
  if (size === 0) {
    return 0;
  }
  return (
    size +
    common(one.slice(0, begin), other.slice(0, otherBegin)) +
    common(one.slice(begin + size), other.slice(otherBegin + size))
  );
}
