// What a test does in the file store itself, behind everybody's back.

import { createHash, createHmac } from "node:crypto";
import { topology } from "./topology";

const UNSIGNED = "UNSIGNED-PAYLOAD";
const HEADERS = "host;x-amz-content-sha256;x-amz-date";

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** Removes a file, as a retention rule does: a request that is signed (AWS Signature Version 4). */
export async function removeFile(name: string) {
  const { url, bucket, region, access_key, secret_key } = topology.s3;
  const address = new URL(`${bucket}/${name}`, url);
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const headers = `host:${address.host}\nx-amz-content-sha256:${UNSIGNED}\nx-amz-date:${time}\n`;
  const request = ["DELETE", address.pathname, "", headers, HEADERS, UNSIGNED].join("\n");
  const digest = createHash("sha256").update(request).digest("hex");
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${secret_key}`,
  );
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`).toString("hex");
  const answer = await fetch(address, {
    method: "DELETE",
    headers: {
      "x-amz-content-sha256": UNSIGNED,
      "x-amz-date": time,
      authorization: `AWS4-HMAC-SHA256 Credential=${access_key}/${scope}, SignedHeaders=${HEADERS}, Signature=${signature}`,
    },
  });
  if (!answer.ok) throw new Error(`the file store answers ${answer.status}`);
}
