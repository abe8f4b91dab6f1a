/** An upload's own Durable Object, named by the hash of the upload's ID: its alarm removes the upload when it expires. */
import { DurableObject } from 'cloudflare:workers'
import { expireUpload } from '../../src/uploads/upload.ts'
import { type Environment, serviceOf } from './environment.ts'

const NAME = 'upload'

export class UploadObject extends DurableObject<Environment> {
  /** @param at milliseconds since 1970 */
  async watch(upload: string, at: number): Promise<void> {
    await this.ctx.storage?.put(NAME, upload)
    await this.ctx.storage?.setAlarm(at)
  }

  /** If it was used meanwhile, it expires later, and the alarm is set again. If this throws, the platform calls it again. */
  async alarm(): Promise<void> {
    const upload = await this.ctx.storage?.get(NAME)
    if (typeof upload !== 'string') return
    const until = await expireUpload(serviceOf(this.env), upload)
    if (until === undefined) await this.ctx.storage?.deleteAll()
    else await this.ctx.storage?.setAlarm(until)
  }
}
