/* Function multiversioning: one function, compiled for several instruction sets, picked at load time. */
#ifndef MLPDIST_MULTIVERSION_H
#define MLPDIST_MULTIVERSION_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define UNDER_SANITIZER
#endif
#endif

/* Written before a static function (clang 14 gives extern ones a name that nobody else finds). Needs a
 * compiler and a C library with ifunc, which the build finds out (MLPD_HAVE_TARGET_CLONES); sanitizers are not
 * ready yet when the dynamic loader calls the resolvers. The clones give the same bits as long as no
 * multiplication and addition fuse (-ffp-contract=off) and no sum is reassociated (no -ffast-math). */
#ifndef MULTIVERSION
#if defined(MLPD_HAVE_TARGET_CLONES) && defined(__x86_64__) && !defined(UNDER_SANITIZER)
#define MULTIVERSION __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MULTIVERSION
#endif
#endif

#endif
