/** A line that is typed. */

export type Prompt = {
  readonly title: string
  text: string
  /** Called whenever the text is another. */
  onType?(text: string): void
  onEnter(text: string): void
  onEscape(): void
}

/** No name or glob is longer. */
const MOST = 4_096

/** @returns whether the prompt is still there */
export function type(prompt: Prompt, key: string): boolean {
  switch (key) {
    case 'enter':
      prompt.onEnter(prompt.text)
      return false
    case 'esc':
      prompt.onEscape()
      return false
    case 'backspace':
      change(prompt, Array.from(prompt.text).slice(0, -1).join(''))
      return true
    case 'ctrl-u':
      change(prompt, '')
      return true
    default:
      // Names of keys are longer than a character.
      if (Array.from(key).length === 1 && key >= ' ' && prompt.text.length < MOST)
        change(prompt, prompt.text + key)
      return true
  }
}

function change(prompt: Prompt, text: string): void {
  prompt.text = text
  prompt.onType?.(text)
}
