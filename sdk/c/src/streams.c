/* The C library's `snprintf` brings along its standard streams, and these what a component does not have: here they are,
 * and fail. Weak, so that whatever needs more of WASI, such as `fopen`, takes the C library's own; then the build fails and
 * says which import nobody serves. */

#include <wasi/api.h>

__attribute__((weak))
__wasi_errno_t __wasi_fd_close(__wasi_fd_t stream)
{
    (void)stream;
    return __WASI_ERRNO_BADF;
}

__attribute__((weak))
__wasi_errno_t __wasi_fd_seek(__wasi_fd_t stream, __wasi_filedelta_t offset, __wasi_whence_t whence,
                              __wasi_filesize_t *position)
{
    (void)stream, (void)offset, (void)whence, (void)position;
    return __WASI_ERRNO_BADF;
}

__attribute__((weak))
__wasi_errno_t __wasi_fd_write(__wasi_fd_t stream, const __wasi_ciovec_t *parts, size_t count, __wasi_size_t *written)
{
    (void)stream, (void)parts, (void)count, (void)written;
    return __WASI_ERRNO_BADF;
}
