/** How the screen may look. */

/** Without colour no style is used, and the selected row begins with `>`. */
export type Look = { readonly hasColour: boolean }
