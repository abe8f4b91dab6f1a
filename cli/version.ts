/** The version of Lamina, from `package.json`: what `lamina --version` prints. */
import description from '../package.json' with { type: 'json' }

export const VERSION: string = description.version
