declare module 'css-color-converter' {
  /** Null for what is no color of CSS: hexadecimal with `#`, `rgb()`, `hsl()` or a name. */
  export function fromString(text: string): object | null
}
