/** `node s3-process.ts PORT FOLDER`: an S3 server whose objects outlive it; prints its settings as JSON once it is ready. */
import { startS3 } from '../support/s3.ts'

const [port, data] = process.argv.slice(2)
const { settings } = await startS3({ port: Number(port), ...(data === undefined ? {} : { data }) })
console.log(JSON.stringify(settings))
