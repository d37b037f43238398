// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

#include <cblas.h>
#include <stddef.h>

// LAPACK is part of OpenBLAS, its C headers are not. The last two arguments are the lengths of the texts, which
// Fortran's calling convention has after all others.
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length, size_t uplo_length);
