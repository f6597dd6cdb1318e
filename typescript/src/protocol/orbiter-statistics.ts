/** What a state machine and its caller count. */

/** Counters of one orbiter, from its making on: what it did not do, and why. */
export class OrbiterStatistics {
  /** Messages on a topic that is for others, such as a request on the discover topic. */
  misplaced = 0;
  /** Messages that broke the protocol: with a name, topic or header that cannot be, or of another than they say. */
  refused = 0;
  /** Messages that were late, duplicated, foreign or of nobody known, and changed nothing. */
  ignored = 0;
  /** Messages of remotes that sent more than `limits.remoteEventsPerSecond`. */
  tooFast = 0;
  /** Messages of others beyond `limits.strangerEventsPerSecond`. */
  tooFastStrangers = 0;
  /** Requests of operators beyond `limits.INTROSPECTION_ANSWERS_PER_SECOND`. */
  tooFastOperators = 0;
  /** Messages that came while too much was still to be done. */
  overloaded = 0;
  /** Inputs and outputs that were not handled, since their number had come before, or is too old. */
  duplicates = 0;
  /** Inputs and outputs that have not come, as the numbers of others show; one that comes late counts no more. */
  missing = 0;
  /** Inputs that were not handled, since their core waited for the answer no more. */
  expired = 0;
  /** Inputs that were not handled, since their core had taken them back. */
  takenBack = 0;
  /** Inputs dropped because too much waits, whose core was told so at once. */
  overloadedAnswers = 0;
  /** Messages of a second remote of the same name, on another bus. */
  misled = 0;
  /** Messages that showed that another orbiter has the identifier of this one, or that two remotes have one. */
  namesakes = 0;
  /** Queries and offers of operations whose schemas were too large, or too many new ones at a time. */
  unreadSchemas = 0;
  /** Unanswered offers and requests that had to make room for others. */
  crowdedOut = 0;
  /** Offers and requests that were not made since there was no room. */
  turnedAway = 0;
  /** Remotes that were forgotten to make room for others. */
  forgotten = 0;
}
