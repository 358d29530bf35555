# ci/start.ps1 [-Preset msvc|mingw] [arguments]: runs hello_http with the arguments, after it built
# what is missing for that. Needs CMake, Ninja, vcpkg (VCPKG_ROOT), and MSVC or MinGW-w64.
# SPDX-License-Identifier: BSL-1.0
[CmdletBinding(PositionalBinding = $false)]  # `--port 80` is for hello_http
param(
    [ValidateSet('msvc', 'mingw')][string]$Preset = 'msvc',
    [Parameter(ValueFromRemainingArguments)][string[]]$Arguments = @()
)
. (Join-Path $PSScriptRoot 'windows.ps1')

Enter-Preset $Preset
Push-Location (Split-Path $PSScriptRoot)
try {
    Invoke-Program cmake @('--preset', $Preset, '-B', 'build/start', '-DPRONG_TESTS=OFF',
        '-DPRONG_WERROR=OFF', '-DVCPKG_MANIFEST_FEATURES=examples')
    Invoke-Program cmake @('--build', 'build/start', '--target', 'hello_http')
} finally {
    Pop-Location
}
& (Join-Path $PSScriptRoot '../build/start/examples/hello_http.exe') @Arguments
exit $LASTEXITCODE
