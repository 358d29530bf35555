# What ci/start.ps1 and ci/test.ps1 share.
# SPDX-License-Identifier: BSL-1.0

$ErrorActionPreference = 'Stop'

# Runs a program, and ends the script if that fails.
function Invoke-Program {
    param([string]$Program, [string[]]$Arguments)
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) {
        throw "$Program $Arguments ended with $LASTEXITCODE"
    }
}

# Makes what a preset needs available: vcpkg, and for `msvc` the environment of a developer prompt.
function Enter-Preset {
    param([string]$Preset)
    if (-not $env:VCPKG_ROOT) {
        throw 'VCPKG_ROOT must name a clone of github.com/microsoft/vcpkg, after its bootstrap'
    }
    if ($Preset -eq 'msvc' -and -not (Get-Command cl -ErrorAction SilentlyContinue)) {
        $ours = $env:VCPKG_ROOT
        $installer = Join-Path ${env:ProgramFiles(x86)} 'Microsoft Visual Studio\Installer'
        $studio = & (Join-Path $installer 'vswhere.exe') -latest -property installationPath
        & (Join-Path $studio 'Common7\Tools\Launch-VsDevShell.ps1') -Arch amd64 -HostArch amd64 `
            -SkipAutomaticLocation
        $env:VCPKG_ROOT = $ours  # Visual Studio brings a vcpkg of its own, without ports
    }
}
