/** What the methods of the plugin class of a contract return. */

/** What a method returns that gives something. */
export type Answer<O> = O | Promise<O>;

/** What a method returns that gives nothing. */
 
export type Done = void | Promise<void>;
