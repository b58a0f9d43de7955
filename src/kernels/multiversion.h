/* Function multiversioning: one function, compiled for several instruction sets, chosen at load time. */
#ifndef MLPDIST_MULTIVERSION_H
#define MLPDIST_MULTIVERSION_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define UNDER_SANITIZER
#endif
#endif

/* Put it before a static function (clang 14 gives extern ones a name that other files cannot find). It needs a compiler
 * and a C library with ifunc, which the build detects (MLPD_HAVE_TARGET_CLONES). It is off under sanitizers, which are
 * not initialised when the dynamic loader calls the resolvers. The clones give the same bits as long as multiplications
 * and additions do not fuse (-ffp-contract=off) and sums are not reassociated (no -ffast-math). */
#ifndef MULTIVERSION
#if defined(MLPD_HAVE_TARGET_CLONES) && defined(__x86_64__) && !defined(UNDER_SANITIZER)
#define MULTIVERSION __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MULTIVERSION
#endif
#endif

#endif
