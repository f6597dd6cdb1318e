/** How large something is that others have told, and whether it is what they told before. */

/** About what a value takes beside its texts. */
const VALUE_BYTES = 32;
const CHARACTER_BYTES = 2;

/** About how many bytes of memory a value takes that was decoded. */
export function weightOf(value: unknown): number {
  if (typeof value === "string") {
    return VALUE_BYTES + CHARACTER_BYTES * value.length;
  }
  if (value instanceof Map) {
    let weight = VALUE_BYTES;
    for (const [key, one] of value) {
      weight += weightOf(key) + weightOf(one);
    }
    return weight;
  }
  if (typeof value === "object" && value !== null) {
    let weight = VALUE_BYTES;
    for (const one of Object.values(value)) {
      weight += weightOf(one);
    }
    return weight;
  }
  return VALUE_BYTES;
}

/** Whether two values that were decoded are equal. */
export function areEqual(one: unknown, other: unknown): boolean {
  if (one === other) {
    return true;
  }
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return false;
  }
  if (one instanceof Map && other instanceof Map) {
    return (
      one.size === other.size && [...one].every(([key, value]) => other.has(key) && areEqual(value, other.get(key)))
    );
  }
  const [own, others] = [Object.entries(one), other as Readonly<Record<string, unknown>>];
  return (
    one instanceof Map === other instanceof Map &&
    own.length === Object.keys(other).length &&
    own.every(([key, value]) => Object.hasOwn(other, key) && areEqual(value, others[key]))
  );
}
