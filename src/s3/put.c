/* SPDX-License-Identifier: Apache-2.0 */

#include "s3/put.h"

#include "tools/stop.h"
#include "util/macros.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define CONNECT_TIMEOUT_S 15L
/* Slower than this for so long is as good as cut. */
#define SPEED_LIMIT       64L /* bytes a second */
#define SPEED_PERIOD_S    30L

#define ANSWER_MAX 4096u
#define HEADER_MAX (CREDENTIAL_MAX + 64u)

struct putter {
        CURL *curl;
        char error[CURL_ERROR_SIZE];
        char answer[ANSWER_MAX]; /* what S3 says of itself, an XML of a few lines; cut */
        size_t n_answer;
};

int putter_new(struct putter **putterp) {
        _cleanup_(putter_freep) struct putter *putter = NULL;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return -ENOMEM;

        putter = calloc(1, sizeof(*putter));
        if (!putter)
                return -ENOMEM;
        putter->curl = curl_easy_init();
        if (!putter->curl)
                return -ENOMEM;

        *putterp = TAKE_PTR(putter);
        return 0;
}

struct putter *putter_free(struct putter *putter) {
        if (putter) {
                curl_easy_cleanup(putter->curl);
                curl_global_cleanup();
        }
        free(putter);
        return NULL;
}

/* callbacks */

static size_t take_answer(char *data, size_t size, size_t n, void *userdata) {
        struct putter *putter = userdata;
        size_t n_kept = MIN(size * n, ANSWER_MAX - 1 - putter->n_answer);

        memcpy(putter->answer + putter->n_answer, data, n_kept);
        putter->n_answer += n_kept;
        return size * n;
}

static int look_up(
                void *userdata, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up) {
        return stop_is_requested();
}

/* the request */

static inline void headers_freep(struct curl_slist **headers) {
        curl_slist_free_all(*headers);
}

static int headers_add(struct curl_slist **headersp, const char *name, const char *value) {
        char header[HEADER_MAX];
        struct curl_slist *headers;

        (void) snprintf(header, sizeof(header), "%s: %s", name, value);
        headers = curl_slist_append(*headersp, header);
        explicit_bzero(header, sizeof(header));
        if (!headers)
                return -ENOMEM;

        *headersp = headers;
        return 0;
}

#define DIGEST_SIZE 32u

/* S3 wants to be told, and to have signed, what the object's bytes are. */
static int format_digest(char text[static 2 * DIGEST_SIZE + 1], const char *data, size_t size) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int n;

        if (!EVP_Digest(data, size, digest, &n, EVP_sha256(), NULL) || n != DIGEST_SIZE)
                return -ENOMEM;

        for (size_t i = 0; i < DIGEST_SIZE; ++i)
                (void) sprintf(text + 2 * i, "%02x", digest[i]);
        return 0;
}

static int headers_make(
                struct curl_slist **headersp, const char *digest, const char *token, const char *sequence) {
        _cleanup_(headers_freep) struct curl_slist *headers = NULL;
        int r;

        r = headers_add(&headers, "Content-Type", "application/json");
        if (r >= 0)
                r = headers_add(&headers, "x-amz-content-sha256", digest);
        if (r >= 0 && *sequence)
                r = headers_add(&headers, "x-amz-meta-sequence", sequence);
        if (r >= 0 && *token)
                r = headers_add(&headers, "x-amz-security-token", token);
        if (r < 0)
                return r;

        *headersp = TAKE_PTR(headers);
        return 0;
}

static void putter_set_transport(struct putter *putter) {
        const char *bundle = getenv("AWS_CA_BUNDLE");
        CURL *curl = putter->curl;

        /* Certificates are verified: that is libcurl's default, and stays it. */
        if (bundle && *bundle)
                (void) curl_easy_setopt(curl, CURLOPT_CAINFO, bundle);
        (void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
        (void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
        (void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, SPEED_LIMIT);
        (void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SPEED_PERIOD_S);
        (void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, putter->error);
        (void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
        (void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, putter);
        (void) curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        (void) curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
        (void) curl_easy_setopt(curl, CURLOPT_USERAGENT, "i4/" I4_VERSION);
        (void) curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 3000L);
}

static int putter_set_object(struct putter *putter, const struct target *target, const char *key,
                const char *data, size_t size) {
        char url[TARGET_URL_MAX];
        int r;

        r = target_format_url(target, key, url);
        if (r < 0)
                return r;

        /* As a body in memory: libcurl signs what it can see as a whole. */
        (void) curl_easy_setopt(putter->curl, CURLOPT_URL, url);
        (void) curl_easy_setopt(putter->curl, CURLOPT_CUSTOMREQUEST, "PUT");
        (void) curl_easy_setopt(putter->curl, CURLOPT_POSTFIELDS, data);
        (void) curl_easy_setopt(putter->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size);
        return 0;
}

static void putter_set_signature(
                struct putter *putter, const struct target *target, const struct credentials *credentials) {
        char provider[128];

        (void) snprintf(provider, sizeof(provider), "aws:amz:%s:s3", target->region);
        (void) curl_easy_setopt(putter->curl, CURLOPT_AWS_SIGV4, provider);
        (void) curl_easy_setopt(putter->curl, CURLOPT_USERNAME, credentials->key_id);
        (void) curl_easy_setopt(putter->curl, CURLOPT_PASSWORD, credentials->secret);
}

/* what came of it */

/* The text of the first element of that name. */
static size_t answer_find(const struct putter *putter, const char *name, char *buffer, size_t size) {
        const char *begin, *end = NULL;
        char tag[32];

        (void) snprintf(tag, sizeof(tag), "<%s>", name);
        begin = strstr(putter->answer, tag);
        if (begin) {
                begin += strlen(tag);
                end = strchr(begin, '<');
        }
        if (!end)
                return 0;

        /* A stranger's text: a line, and printable. */
        (void) snprintf(buffer, size, "%.*s", (int) (end - begin), begin);
        for (char *p = buffer; *p; ++p)
                if (*p < ' ' || *p > '~')
                        *p = '?';
        return strlen(buffer);
}

static void result_set_status(
                struct put_result *result, const struct putter *putter, const struct target *target) {
        char code[64] = "", message[256] = "";

        (void) answer_find(putter, "Code", code, sizeof(code));
        (void) answer_find(putter, "Message", message, sizeof(message));

        /* 408, 429 and 5xx: come back later. The clock may be wrong today and right tomorrow. */
        result->outcome = result->status >= 500 || result->status == 408 || result->status == 429 ||
                                                          strcmp(code, "RequestTimeout") == 0 ||
                                                          strcmp(code, "RequestTimeTooSkewed") == 0 ||
                                                          strcmp(code, "SlowDown") == 0
                                          ? PUT_LATER
                                          : PUT_DENIED;

        if (strcmp(code, "NoSuchBucket") == 0)
                (void) snprintf(result->text, sizeof(result->text),
                                "there is no bucket '%s' in %s (status %ld)", target->bucket, target->region,
                                result->status);
        else
                (void) snprintf(result->text, sizeof(result->text), "bucket '%s' answers %ld%s%s%s%s",
                                target->bucket, result->status, *code ? " " : "", code, *message ? ": " : "",
                                message);
}

/* Those that another try will not change. */
static bool error_is_final(CURLcode code) {
        return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT ||
               code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_SSL_CACERT_BADFILE;
}

static void result_set_error(struct put_result *result, const struct putter *putter, CURLcode code) {
        const char *reason = *putter->error ? putter->error : curl_easy_strerror(code);

        if (code == CURLE_ABORTED_BY_CALLBACK)
                result->outcome = PUT_STOPPED;
        else
                result->outcome = error_is_final(code) ? PUT_DENIED : PUT_LATER;

        (void) snprintf(result->text, sizeof(result->text), "%s", reason);
}

static void result_set(struct put_result *result, const struct putter *putter, const struct target *target,
                CURLcode code) {
        (void) curl_easy_getinfo(putter->curl, CURLINFO_RESPONSE_CODE, &result->status);

        /* An answer may come before all is sent, and the connection be closed on it. */
        if (code != CURLE_OK && result->status < 300)
                result_set_error(result, putter, code);
        else if (result->status >= 200 && result->status < 300)
                result->outcome = PUT_DONE;
        else
                result_set_status(result, putter, target);
}

void putter_put(struct putter *putter, const struct target *target, const struct credentials *credentials,
                const char *key, const char *data, size_t size, const char *sequence,
                struct put_result *result) {
        _cleanup_(headers_freep) struct curl_slist *headers = NULL;
        char digest[2 * DIGEST_SIZE + 1];
        CURLcode code;
        int r;

        *result = (struct put_result){ .outcome = PUT_LATER };
        putter->n_answer = 0;
        putter->error[0] = 0;

        curl_easy_reset(putter->curl);
        putter_set_transport(putter);
        putter_set_signature(putter, target, credentials);
        r = putter_set_object(putter, target, key, data, size);
        if (r >= 0)
                r = format_digest(digest, data, size);
        if (r >= 0)
                r = headers_make(&headers, digest, credentials->token, sequence);
        if (r < 0) {
                result->outcome = r == -ENAMETOOLONG ? PUT_DENIED : PUT_LATER;
                (void) snprintf(result->text, sizeof(result->text), "%s", strerror(-r));
                return;
        }

        (void) curl_easy_setopt(putter->curl, CURLOPT_HTTPHEADER, headers);
        code = curl_easy_perform(putter->curl);
        putter->answer[putter->n_answer] = 0;
        result_set(result, putter, target, code);
}
