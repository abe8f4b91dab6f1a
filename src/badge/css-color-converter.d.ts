declare module 'css-color-converter' {
  /** Null for anything but a CSS color: hexadecimal with `#`, `rgb()`, `hsl()` or a name. */
  export function fromString(text: string): object | null
}
