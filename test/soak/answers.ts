/** The right answers: the first one is verified if the truth is known, and all later ones are compared with it. */
import { type Question, sha256 } from './questions.ts'

/** The kept length of a first answer, to show what a later one should have been. */
const SHOWN_BYTES = 20_000

type Kept = { readonly status: number; readonly digest: string; readonly text: string }

export type Wrong = { readonly path: string; readonly why: string }

export class Answers {
  compared = 0
  verified = 0
  readonly wrong: Wrong[] = []
  readonly #first = new Map<string, Kept>()

  /** Counts this answer, and records what is wrong. */
  async take(question: Question, status: number, body: Uint8Array): Promise<void> {
    const digest = sha256(body)
    const known = this.#first.get(question.path)
    if (known === undefined) {
      const text = Buffer.from(body.subarray(0, SHOWN_BYTES)).toString()
      this.#first.set(question.path, { status, digest, text })
      await this.#verify(question, status, body)
      return
    }
    this.compared++
    const right = known
    if (right.status !== status || right.digest !== digest)
      this.refuse(
        question.path,
        `${status} ${excerpt(body)}, at first ${right.status} ${right.text.slice(0, 300)}`,
      )
  }

  refuse(path: string, why: string): void {
    this.wrong.push({ path, why })
    console.log(`  WRONG ${path}: ${why.slice(0, 800)}`)
  }

  /** Forgets the answers about an image that is no longer requested. */
  forget(reference: string): void {
    const image = encodeURIComponent(reference)
    for (const path of this.#first.keys()) if (path.includes(image)) this.#first.delete(path)
  }

  async #verify({ path, verify }: Question, status: number, body: Uint8Array): Promise<void> {
    // A gate that fails is an answer, too.
    if (status !== 200 && !(status === 412 && path.startsWith('/v1/check'))) {
      this.#first.delete(path)
      this.refuse(path, `${status} ${excerpt(body)}`)
      return
    }
    if (verify === undefined) return
    this.verified++
    const fault = await Promise.resolve(verify(body)).catch((error: unknown) => String(error))
    if (fault !== undefined) this.refuse(path, fault)
  }
}

function excerpt(body: Uint8Array): string {
  return Buffer.from(body.subarray(0, 300)).toString()
}
