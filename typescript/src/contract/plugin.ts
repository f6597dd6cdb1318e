/** What the methods of the plugin class of a contract return, and what their errors are made of. */

/** What a method returns that gives something. */
export type Answer<O> = O | Promise<O>;

/** What a method returns that gives nothing. */
export type Done = void | Promise<void>;

/** The fields of a declared error. */
export type ErrorFields<E extends Error> = Omit<E, keyof Error>;
